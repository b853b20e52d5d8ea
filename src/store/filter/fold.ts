/** Folds case as filters do: texts that differ only in case, by Unicode's simple case folding, have the same folded form. */

/** The one pair of folded characters that no change of case shows. */
const others: ReadonlyMap<string, string> = new Map([['\ufb05', '\ufb06']]);
const known = new Map<string, string>();

export function foldedCase(text: string): string {
  return /^[ -@[-~]*$/.test(text) ? text : Array.from(text, foldedCharacter).join('');
}

function foldedCharacter(character: string): string {
  const found = known.get(character);
  if (found !== undefined) return found;
  const upper = single(character.toUpperCase(), character);
  const lower = others.get(character) ?? single(upper.toLowerCase(), upper);
  // Regular expressions fold simply. So `İ` and `ı` stay, which a change of case would make an `i`.
  const isSame =
    lower === character || new RegExp(`^\\u{${lower.codePointAt(0)!.toString(16)}}$`, 'iu').test(character);
  const folded = isSame ? lower : character;
  known.set(character, folded);
  return folded;
}

function single(changed: string, character: string): string {
  return [...changed].length === 1 ? changed : character;
}
