/** Reads tables in files: delimited text and Parquet, compressed or not. */

export { fieldCount, parseDelimited } from './delimited.ts';
export { brokenParquet, decoding, type ParquetFile } from './parquet/checks.ts';
export { chunkOf, type ParquetFooter, readFooter, readingAhead } from './parquet/file.ts';
export { notUtf8, pageValues, textOf, textParsers } from './parquet/pages.ts';
export { bytesOf, type CaptionFile, type Packing } from './unpack.ts';
