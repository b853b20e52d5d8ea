/** Decides which pictures have left the index's folders, and which may only be away with a disk: those stay. */

export interface Losses {
  readonly gone: readonly string[];
  /** Pictures that stay, though nobody finds them. */
  readonly away: readonly string[];
}

/** So many pictures may go anywhere without further ado. */
const few = 3;
/** If a smaller part than this of a folder's pictures is left, a disk may be missing. */
const leastPart = 1 / 2;

interface Count {
  known: number;
  lost: number;
}

/**
 * The law of `lincir index`, too: pictures stay if they are all that the index has of the folder itself, or of one below that
 * has lost more than a few or is empty now, as a mount point is; or if they are half of what was there.
 * @param known paths of one folder that the index has
 * @param lost those of them that were not found
 * @param isEmpty whether a folder is there, with nothing in it
 */
export function judgeLosses(
  known: readonly string[],
  lost: readonly string[],
  isEmpty: (folder: string) => boolean,
): Losses {
  const counts = new Map<string, Count>();
  const count = (path: string, which: keyof Count) => {
    for (const folder of foldersOf(path)) {
      const sums = counts.get(folder) ?? { known: 0, lost: 0 };
      sums[which]++;
      counts.set(folder, sums);
    }
  };
  for (const path of known) count(path, 'known');
  for (const path of lost) count(path, 'lost');
  const isAway = (folder: string) => {
    const sums = counts.get(folder)!;
    const isRoot = !folder.includes('/');
    return sums.lost === sums.known && (isRoot || sums.lost > few || isEmpty(folder));
  };
  const away = lost.filter((path) => foldersOf(path).some(isAway));
  if (away.length === lost.length) return { gone: [], away };
  const kept = new Set(away);
  const others = lost.filter((path) => !kept.has(path));
  const left = known.length - away.length;
  const isHalf = others.length > few && others.length >= left * leastPart;
  return isHalf ? { gone: [], away: lost } : { gone: others, away };
}

/** The folders that a path is in, the nearest first. */
function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
    folders.push(path.slice(0, end));
  return folders;
}
