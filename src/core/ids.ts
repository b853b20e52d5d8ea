/** Ids of images. They name an image in an index, and are hashes of its path, so that whoever adds it again overwrites it. */

/** 24 digits in hex; 16 in indexes of earlier versions, whose ids were random. */
export const idPattern = /^(?:[\da-f]{16}|[\da-f]{24})$/;

export function isId(text: string): boolean {
  return idPattern.test(text);
}
