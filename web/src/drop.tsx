/** Pictures dropped or pasted anywhere on the page. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { isId } from '../../src/core/ids.ts';
import { useApp } from './app.ts';
import { Icon } from './icons.tsx';
import { addImages } from './query.ts';

const ownType = 'application/x-lincir-id';

export function DropTarget() {
  const { pictures, change, query } = useApp();
  const [isOver, setIsOver] = useState(false);
  const depth = useRef(0);

  useEffect(() => {
    const isWanted = ({ dataTransfer }: DragEvent) =>
      dataTransfer !== null && (dataTransfer.types.includes('Files') || dataTransfer.types.includes(ownType));
    const onEnter = (event: DragEvent) => {
      if (!isWanted(event)) return;
      event.preventDefault();
      depth.current++;
      setIsOver(true);
    };
    const onLeave = (event: DragEvent) => {
      if (!isWanted(event)) return;
      depth.current = Math.max(0, depth.current - 1);
      if (depth.current === 0) setIsOver(false);
    };
    const onOver = (event: DragEvent) => {
      if (!isWanted(event)) return;
      event.preventDefault();
      event.dataTransfer!.dropEffect = 'copy';
    };
    const onDrop = (event: DragEvent) => {
      depth.current = 0;
      setIsOver(false);
      if (event.defaultPrevented || !isWanted(event)) return; // it was for another part of the page
      event.preventDefault();
      const id = event.dataTransfer!.getData(ownType);
      if (isId(id)) change((old) => addImages(old, 'images', [{ id }]));
      else pictures.give([...event.dataTransfer!.files], 'images');
    };
    const onPaste = (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      pictures.give(files, 'images');
    };
    addEventListener('dragenter', onEnter);
    addEventListener('dragleave', onLeave);
    addEventListener('dragover', onOver);
    addEventListener('drop', onDrop);
    addEventListener('paste', onPaste);
    return () => {
      removeEventListener('dragenter', onEnter);
      removeEventListener('dragleave', onLeave);
      removeEventListener('dragover', onOver);
      removeEventListener('drop', onDrop);
      removeEventListener('paste', onPaste);
    };
  }, [pictures, change]);

  if (!isOver) return null;
  return (
    <div class="drop" aria-hidden="true">
      <p>
        <Icon name="picture" />
        Drop it to {query.images.length === 0 ? 'search with it' : `add it as $${query.images.length + 1}`}
      </p>
    </div>
  );
}
