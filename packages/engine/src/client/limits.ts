export type ClientLimitName =
  | 'greetingTimeout'
  | 'helloTimeout'
  | 'mailTimeout'
  | 'rcptTimeout'
  | 'dataTimeout'
  | 'blockTimeout'
  | 'messageTimeout'
  | 'commandTimeout'
  | 'authTimeout'
  | 'tlsTimeout'
  | 'quitTimeout'
  | 'block'
  | 'rate'
  | 'flight'
  | 'replyLine'
  | 'replyLines'
  | 'replyOctets'
  | 'challenges';

export type ClientLimits = { readonly [name in ClientLimitName]: number };
