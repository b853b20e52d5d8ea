/** Writes messages in protobuf's wire format by tables of their fields. protobufjs itself would make code, which pages forbid. */

import protobuf from 'protobufjs/minimal.js';

/** Repeated numbers are not packed. */
interface Field {
  readonly id: number;
  /** A kind of number or text, or a message. */
  readonly type: string;
  readonly rule?: 'repeated';
}

/** The fields of each message, in the order of their ids. */
export type MessageFields = Readonly<Record<string, Readonly<Record<string, Field>>>>;

/** How a value is written; all other types are messages. */
const wireTypes = { int32: 0, int64: 0, string: 2, bytes: 2, float: 5 } as const;
type ScalarType = keyof typeof wireTypes;

/** Bytes of a message, given as a plain object. Absent fields are left out. */
export function encodeMessage(messages: MessageFields, type: string, message: object): Uint8Array {
  const writer = protobuf.Writer.create();
  write(writer, messages, type, message);
  return writer.finish();
}

function write(writer: protobuf.Writer, messages: MessageFields, type: string, message: object): void {
  for (const [name, { id, type: kind, rule }] of Object.entries(messages[type]!)) {
    const value = (message as Readonly<Record<string, unknown>>)[name];
    if (value === undefined || (rule === undefined && isDefault(value))) continue;
    for (const one of rule === 'repeated' ? (value as readonly unknown[]) : [value]) {
      if (kind in wireTypes) {
        const scalar = kind as ScalarType;
        writer.uint32((id << 3) | wireTypes[scalar])[scalar](one as never);
      } else {
        writer.uint32((id << 3) | 2).fork();
        write(writer, messages, kind, one as object);
        writer.ldelim();
      }
    }
  }
}

/** What a reader takes for granted, so that nobody writes it. */
function isDefault(value: unknown): boolean {
  return value === 0 || value === '' || (value instanceof Uint8Array && value.length === 0);
}
