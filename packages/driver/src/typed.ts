// What extensions of a program's own bring to the types of handlers and clients; without one, nothing.
import type {
  ClientRecipient,
  CommandQuestion,
  Envelope,
  Extension,
  MailQuestion,
  ParametersOf,
  RcptQuestion,
  Recipient,
  VerbOf,
} from '@ehlo/engine';
import type { MailParameters, RcptParameters } from '@ehlo/grammar';

export type TypedEnvelope<X extends Extension> = Omit<Envelope, 'parameters' | 'recipients'> & {
  readonly parameters: MailParameters & ParametersOf<X, 'MAIL'>;
  readonly recipients: readonly (Recipient & { readonly parameters: ParametersOf<X, 'RCPT'> })[];
};

export type TypedMail<X extends Extension> = MailQuestion & { readonly parameters: ParametersOf<X, 'MAIL'> };

export type TypedRcpt<X extends Extension> = Omit<RcptQuestion, 'envelope'> & {
  readonly parameters: ParametersOf<X, 'RCPT'>;
  readonly envelope: TypedEnvelope<X>;
};

export type TypedCommand<X extends Extension> = CommandQuestion & { readonly verb: [X] extends [never] ? string : VerbOf<X> };

/** The parameters, with those of the extensions. With no extension nothing is added, so TypeScript rejects unknown parameters. */
type With<Parameters, X extends Extension, Command extends 'MAIL' | 'RCPT'> = [X] extends [never]
  ? Parameters
  : Parameters & ParametersOf<X, Command>;

/** What a client may give for MAIL. */
export type TypedMailParameters<X extends Extension> = With<MailParameters, X, 'MAIL'>;

/** A recipient that a client may give. */
export interface TypedRecipient<X extends Extension> extends ClientRecipient {
  readonly parameters?: With<RcptParameters, X, 'RCPT'>;
}
