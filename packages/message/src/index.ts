export { type EditNote, type EditReason, HeaderDraft, type LineEnd } from './draft.ts';
export {
  addDate,
  addMessageId,
  correctDate,
  type Edit,
  foldLines,
  type Moment,
  received,
  removeBcc,
  removeReturnPath,
  returnPath,
  sign,
} from './edits.ts';
export { type Field, fieldValue, isNamed, unfold } from './field.ts';
export { ANY_HEADER, HARMLESS, type HeaderDeviation } from './header-deviation.ts';
export { HEADER_LIMITS, type HeaderEvent, type HeaderLimits, HeaderReader, type HeaderReaderOptions } from './header-reader.ts';
export { type EditorEvent, MessageEditor } from './message-editor.ts';
export { addFrom, setSender } from './set-sender.ts';
export { type Signature, signaturesOf } from './signature.ts';
