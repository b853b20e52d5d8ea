/** Captions that are not in a file: a program makes them, the same ones each time. */

export interface MadeCaptions {
  readonly name: string;
  /** Differs if the captions differ. */
  readonly version: string;
  /** In UTF-8, about. */
  readonly bytes: number;
  readonly captions: () => AsyncIterable<string>;
}
