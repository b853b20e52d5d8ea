/** Pictures that a person gives: sent to the server, shown at once, and put into the query when it has them all. */

import { useCallback, useMemo, useRef, useState } from 'preact/hooks';
import type { Upload } from '../../src/api/client.ts';
import { api } from './back-end.ts';
import { bytes } from './display.ts';
import { asFailure, type Failure, sentence } from './failure.ts';
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
  const latest = useRef({ pending, onReady });
  latest.current.onReady = onReady;

  const update = useCallback((change: (all: readonly PendingPicture[]) => readonly PendingPicture[]) => {
    latest.current.pending = change(latest.current.pending);
    setPending(latest.current.pending);
  }, []);
  const updateOne = useCallback(
    (key: number, part: Partial<PendingPicture>) =>
      update((all) => all.map((one) => (one.key === key ? { ...one, ...part } : one))),
    [update],
  );

  /** Pictures that were given together come into the query together, in their order. */
  const send = useCallback(
    async (pictures: readonly PendingPicture[]) => {
      const sent = await Promise.all(
        pictures.map(async ({ key, file, preview }) => {
          try {
            if (file.size > mostBytes) throw tooLarge(file, mostBytes);
            const upload = await api.upload(index, file, (part) => updateOne(key, { sent: part }));
            return { key, reference: await remember(upload, preview) };
          } catch (error) {
            updateOne(key, { failure: asFailure(error) });
            return undefined;
          }
        }),
      );
      // Those that failed stay, with what went wrong. Those that were dismissed meanwhile are not wanted any more.
      const isPending = (key: number) => latest.current.pending.some((one) => one.key === key);
      const done = sent.filter((one) => one !== undefined && isPending(one.key)) as NonNullable<
        (typeof sent)[number]
      >[];
      const keys = new Set(done.map(({ key }) => key));
      update((all) => all.filter(({ key }) => !keys.has(key)));
      const [first] = pictures;
      if (first !== undefined && done.length > 0)
        latest.current.onReady(
          first.list,
          done.map(({ reference }) => reference),
          first.at,
        );
    },
    [index, mostBytes, update, updateOne],
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
      update((all) => [...all, ...pictures]);
      void send(pictures);
    },
    [send, update],
  );

  const retry = useCallback(
    (key: number) => {
      updateOne(key, { failure: undefined, sent: 0 });
      void send(latest.current.pending.filter((one) => one.key === key));
    },
    [send, updateOne],
  );

  const dismiss = useCallback(
    (key: number) => update((all) => all.filter((one) => one.key !== key)),
    [update],
  );

  return useMemo(
    () => ({ pending, give, retry, dismiss, seen: (upload: string) => seen.get(upload) }),
    [pending, give, retry, dismiss],
  );
}

/** The image of the index with the same contents, if there is one: its address lasts. */
async function remember({ upload, id, name }: Upload, preview: string): Promise<Reference> {
  if (id !== undefined) return { id };
  // Browsers show no TIFF, and most no HEIC.
  const shown = (await isShown(preview)) ? preview : await api.uploadThumbnail(upload);
  seen.set(upload, { preview: shown, name });
  return { upload };
}

function isShown(source: string): Promise<boolean> {
  return new Promise((resolve) => {
    const picture = new Image();
    picture.onload = () => resolve(true);
    picture.onerror = () => resolve(false);
    picture.src = source;
  });
}

function tooLarge(file: File, most: number): Failure {
  return {
    status: 413,
    code: 'too-large',
    detail: `This picture has ${bytes(file.size)}. ${sentence(`${api.self} takes ${bytes(most)} at most`)}`,
    todo: 'Give a smaller copy.',
    field: 'page',
  };
}
