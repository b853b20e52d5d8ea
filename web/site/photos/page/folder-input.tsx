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
  readonly onFiles: (files: File[]) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" class={isStrong ? 'strong' : 'quiet'} onClick={() => input.current!.click()}>
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
        onChange={({ currentTarget }) => {
          onFiles([...(currentTarget.files ?? [])]);
          currentTarget.value = '';
        }}
      />
    </>
  );
}
