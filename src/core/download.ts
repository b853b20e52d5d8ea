/** What a download tells, and what ends it: options of all that may have to get a model or a phi first. */

/** How far a download has come, in bytes. What the cache already had counts as received. */
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
  /** Ends a download; what has arrived is kept. The promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Variables such as `HF_HOME`. Default: those of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** How often and how long to wait for the hub; milliseconds. */
  readonly patience?: { readonly [Key in 'attempts' | 'backoff' | 'silence']?: number };
}

/** Of what its authors published under some licence. */
export interface LicensedDownloadOptions extends DownloadOptions {
  /** Told before a download begins, in words for the user: what it is, and under which licence. */
  readonly onLicence?: (notice: string) => void;
}
