import { createRequire } from 'node:module';
import { ADDRESSES, DIALECT, octets, parseCommand, parseMailbox } from '@ehlo/grammar';
import { parse as parseAddress } from 'smtp-address-parser';
import type { Effort } from './row.ts';

type AddressParser = (text: string) => { readonly address: string }[];

// CommonJS, whose one export some loaders put under `default`.
const loaded = createRequire(import.meta.url)('nodemailer/lib/addressparser') as AddressParser | { readonly default: AddressParser };
export const parseHeaderAddress: AddressParser = 'default' in loaded ? loaded.default : loaded;

/** Ten addresses as mail servers see them all day. */
const TYPICAL = [
  'joe@example.org',
  'jane.doe@mail.example.com',
  'j.r.r.tolkien@books.example.co.uk',
  'info@example.de',
  'bounce+1234-joe=example.org@lists.example.net',
  'no-reply@notifications.example.com',
  'first.last+tag@sub.domain.example.org',
  'x@y.example',
  'billing-department@a-very-long-domain-name.example',
  '0123456789@numbers.example',
] as const;

const MAIL = octets('MAIL FROM:<bounce+1234-joe=example.org@lists.example.net> SIZE=123456 BODY=8BITMIME RET=HDRS ENVID=QQ314159');

export interface GrammarFigures {
  /** Addresses a second. */
  readonly ehlo: number[];
  readonly 'smtp-address-parser': number[];
  readonly nodemailer: number[];
  /** MAIL commands with four parameters a second. */
  readonly mail: number[];
}

/** The parsers alone, on the same addresses: octets for us, as they come from the wire, strings for the others. */
export function measureGrammar({ rounds, warmUp, milliseconds }: Effort): GrammarFigures {
  const bytes = TYPICAL.map(octets);
  const figures: GrammarFigures = { ehlo: [], 'smtp-address-parser': [], nodemailer: [], mail: [] };
  const parsers: Record<keyof GrammarFigures, () => void> = {
    ehlo: () => {
      for (let i = 0; i < bytes.length; i++) {
        const parsed = parseMailbox(bytes[i]!, ADDRESSES);
        if (!parsed.ok || parsed.value.address !== TYPICAL[i]) throw new Error(`not parsed: ${TYPICAL[i]}`);
      }
    },
    'smtp-address-parser': () => {
      for (const address of TYPICAL) if (parseAddress(address).localPart.DotString === undefined) throw new Error(`not parsed: ${address}`);
    },
    nodemailer: () => {
      for (const address of TYPICAL) if (parseHeaderAddress(address)[0]?.address !== address) throw new Error(`not parsed: ${address}`);
    },
    mail: () => {
      for (let i = 0; i < TYPICAL.length; i++) if (!parseCommand(MAIL, DIALECT).ok) throw new Error('not parsed: MAIL');
    },
  };
  // The rounds before the first warm up.
  for (let round = -warmUp; round < rounds; round++) {
    for (const name of Object.keys(parsers) as (keyof GrammarFigures)[]) {
      const rate = perSecond(parsers[name], milliseconds) * TYPICAL.length;
      if (round >= 0) figures[name].push(rate);
    }
  }
  return figures;
}

function perSecond(parse: () => void, milliseconds: number): number {
  const start = performance.now();
  let times = 0;
  let elapsed = 0;
  do {
    parse();
    times++;
    elapsed = performance.now() - start;
  } while (elapsed < milliseconds);
  return (times / elapsed) * 1000;
}
