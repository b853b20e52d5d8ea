/** A button that asks for a folder with a file input, which every browser has. */

import { useRef } from 'preact/hooks';
import { Icon } from '../../../src/icons.tsx';

export function FolderInput({
  label,
  isStrong = false,
  onFiles,
}: {
  readonly label: string;
  readonly isStrong?: boolean;
  readonly onFiles: (files: FileList) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  const choose = () => {
    input.current!.value = ''; // so that the same folder can be chosen again
    input.current!.click();
  };
  return (
    <>
      <button type="button" class={isStrong ? 'strong' : 'quiet'} onClick={choose}>
        <Icon name="folder" /> {label}
      </button>
      <input
        ref={(element) => {
          if (element) element.webkitdirectory = true;
          input.current = element;
        }}
        type="file"
        hidden
        multiple
        aria-label={label}
        onChange={({ currentTarget: { files } }) => files && onFiles(files)}
      />
    </>
  );
}
