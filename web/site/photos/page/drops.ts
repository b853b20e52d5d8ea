/** What is dropped anywhere on the page: folders come into the index. Single pictures are for the search's own part of the page. */

import { useEffect } from 'preact/hooks';
import type { Engine } from './engine.ts';
import { giveDropped, hasFolder } from './folders.ts';

/** @param canSearch whether pictures have a place to go */
export function useDrops(
  engine: Engine,
  canSearch: boolean,
  attempt: (work: () => Promise<unknown>) => void,
) {
  useEffect(() => {
    const hasFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes('Files') ?? false;
    // Without this, the browser would leave the page, and show the file.
    const onOver = (event: DragEvent) => hasFiles(event) && event.preventDefault();
    const onDrop = (event: DragEvent) => {
      if (!hasFiles(event) || (canSearch && !hasFolder(event.dataTransfer!))) return;
      event.preventDefault();
      const { dataTransfer } = event;
      attempt(() => giveDropped(engine, dataTransfer!));
    };
    addEventListener('dragover', onOver);
    addEventListener('drop', onDrop, { capture: true });
    return () => {
      removeEventListener('dragover', onOver);
      removeEventListener('drop', onDrop, { capture: true });
    };
  }, [engine, canSearch, attempt]);
}
