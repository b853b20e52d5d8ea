/** Pictures that a person gives: sent to the server, shown at once, and put into the query when it has them all. */

import { useCallback, useMemo, useRef, useState } from 'preact/hooks';
import type { Upload } from '../../src/api/client.ts';
import { api, asFailure, type Failure } from './api.ts';
import { bytes } from './display.ts';
import type { ImageList, Reference } from './query.ts';

/** A picture on its way. */
export interface PendingPicture {
  readonly key: number;
  readonly file: File;
  readonly preview: string;
  readonly list: ImageList;
  /** Where in the list it goes; undefined for its end. */
  readonly at?: number | undefined;
  /** From 0 to 1: how much is sent. */
  readonly sent: number;
  readonly failure?: Failure | undefined;
}

export interface Pictures {
  readonly pending: readonly PendingPicture[];
  give(files: readonly File[], list: ImageList, at?: number): void;
  retry(key: number): void;
  dismiss(key: number): void;
  /** What this page saw of an upload: its own picture, and its name. */
  seen(upload: string): { readonly preview: string; readonly name: string } | undefined;
}

let nextKey = 1;
const seen = new Map<string, { preview: string; name: string }>();

export function usePictures(
  index: string,
  mostBytes: number,
  onReady: (list: ImageList, images: readonly Reference[], at: number | undefined) => void,
): Pictures {
  const [pending, setPending] = useState<readonly PendingPicture[]>([]);
  const ready = useRef(onReady);
  ready.current = onReady;

  const update = useCallback((key: number, change: Partial<PendingPicture>) => {
    setPending((all) => all.map((one) => (one.key === key ? { ...one, ...change } : one)));
  }, []);

  const send = useCallback(
    async (pictures: readonly PendingPicture[]) => {
      const [first] = pictures;
      if (first === undefined) return;
      const sent = await Promise.all(
        pictures.map(async ({ key, file, preview }) => {
          try {
            if (file.size > mostBytes) throw tooLarge(file, mostBytes);
            const upload = await api.upload(index, file, (part) => update(key, { sent: part }));
            return { key, reference: remember(upload, preview) };
          } catch (error) {
            update(key, { failure: asFailure(error) });
            return undefined;
          }
        }),
      );
      const done = sent.filter((one) => one !== undefined);
      const keys = new Set(done.map(({ key }) => key));
      // Those that failed stay, with what went wrong. One that was dismissed meanwhile is not wanted any more.
      let wanted: readonly Reference[] = [];
      setPending((all) => {
        wanted = done
          .filter(({ key }) => all.some((one) => one.key === key))
          .map(({ reference }) => reference);
        return all.filter(({ key }) => !keys.has(key));
      });
      setTimeout(() => {
        if (wanted.length > 0) ready.current(first.list, wanted, first.at);
      });
    },
    [index, mostBytes, update],
  );

  const give = useCallback(
    (files: readonly File[], list: ImageList, at?: number) => {
      const pictures = files.map((file) => ({
        key: nextKey++,
        file,
        preview: URL.createObjectURL(file),
        list,
        at,
        sent: 0,
      }));
      setPending((all) => [...all, ...pictures]);
      void send(pictures);
    },
    [send],
  );

  const retry = useCallback(
    (key: number) => {
      update(key, { failure: undefined, sent: 0 });
      const picture = pending.find((one) => one.key === key);
      if (picture) void send([picture]);
    },
    [pending, send, update],
  );

  const dismiss = useCallback((key: number) => {
    setPending((all) => all.filter((one) => one.key !== key));
  }, []);

  return useMemo(
    () => ({ pending, give, retry, dismiss, seen: (upload: string) => seen.get(upload) }),
    [pending, give, retry, dismiss],
  );
}

/** The image of the index with the same contents, if there is one: its address lasts. */
function remember({ upload, id, name }: Upload, preview: string): Reference {
  if (id !== undefined) return { id };
  seen.set(upload, { preview, name });
  return { upload };
}

function tooLarge(file: File, most: number): Failure {
  return {
    status: 413,
    code: 'too-large',
    detail: `This picture has ${bytes(file.size)}. The server takes ${bytes(most)} at most.`,
    todo: 'Give a smaller copy.',
    field: 'page',
  };
}
