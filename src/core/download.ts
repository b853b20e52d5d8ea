/** Options of functions that may download a model or a phi: progress, a signal, the hub's environment. */

/** Progress of a download, in bytes. What the cache already had counts as received. */
export interface DownloadProgress {
  /** The file that has just grown. */
  readonly file: string;
  readonly receivedBytes: number;
  readonly totalBytes: number;
  /** The same for all files of the download together. */
  readonly allReceivedBytes: number;
  readonly allTotalBytes: number;
}

export interface DownloadOptions {
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Aborts a download. Received bytes are kept. The promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Variables such as `HF_HOME`. Default: those of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** How often and how long to wait for the hub; milliseconds. */
  readonly patience?: { readonly [Key in 'attempts' | 'backoff' | 'silence']?: number };
}

/** Options for files that their authors published under a licence. */
export interface LicensedDownloadOptions extends DownloadOptions {
  /** Called before a download begins, with words for the user: what it is, and its licence. */
  readonly onLicence?: (notice: string) => void;
}
