/** A button that asks for a folder with a file input, which every browser has. */

import { useRef, useState } from 'preact/hooks';
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
  // Each choice has an input of its own, so that the same folder can be chosen again. To empty one would, in WebKit, empty the
  // list of files, too, which is being read.
  const [choice, setChoice] = useState(0);
  return (
    <>
      <button type="button" class={isStrong ? 'strong' : 'quiet'} onClick={() => input.current!.click()}>
        <Icon name="folder" /> {label}
      </button>
      <input
        key={choice}
        ref={(element) => {
          if (element) element.webkitdirectory = true;
          input.current = element;
        }}
        type="file"
        hidden
        multiple
        aria-label={label}
        onChange={({ currentTarget: { files } }) => {
          if (files) onFiles(files);
          setChoice(choice + 1);
        }}
      />
    </>
  );
}
