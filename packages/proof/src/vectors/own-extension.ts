import { type DefinedParameter, defineExtension, type Extension, type PlainVerb } from '@ehlo/engine';
import { textCodec } from '@ehlo/grammar';

/** An extension that a program has defined, as JSON: what it offers is the same for everybody. */
export interface OwnExtension extends Pick<Extension, 'keyword' | 'spec'> {
  /** What stands behind the keyword in the answer to EHLO. */
  readonly words: readonly string[];
  /** `pattern` is the regular expression that a value keeps to; it is taken as text. */
  readonly parameters: readonly (Omit<DefinedParameter, 'codec'> & { readonly pattern: string })[];
  readonly verbs: readonly PlainVerb[];
}

export function extensionOf({ keyword, spec, words, parameters, verbs }: OwnExtension): Extension {
  return defineExtension({
    keyword,
    spec,
    offer: () => words,
    parameters: parameters.map(({ pattern, ...parameter }) => {
      const whole = new RegExp(`^(?:${pattern})$`);
      return { ...parameter, codec: textCodec((text) => (whole.test(text) ? text : undefined), String) };
    }),
    verbs,
  });
}
