// The scenarios, at every split.
import { AUTH } from '@ehlo/engine';
import { type ClientClass, type Played, play } from '../../src/index.ts';
import { CASES, holds, type Law, same } from '../laws/law.ts';
import { mail, SCENARIOS, type Scenario, SECRET, SECRET_BASE64, told } from './scenarios.ts';

/** Longer conversations are not cut at each octet. */
const MANY = 1500;

function run(
  Client: ClientClass,
  { client = {}, script = {}, jobs = [mail()], auth }: Scenario,
  cut?: (text: string, already: number) => string[],
): Played {
  return play({
    Client,
    client: { hostname: 'client.example.org', features: [AUTH], trace: true, ...client },
    script,
    errand: { jobs, ...(auth === undefined ? {} : { auth }) },
    ...(cut === undefined ? {} : { cut }),
  });
}

function check(scenario: Scenario, played: Played, how: string): void {
  const { events, clear, secured, waited } = played;
  const sent = clear + secured;
  const at = `${scenario.name}, ${how}`;
  const found = told(played);
  const fits = scenario.told.every((expected, i) => expected.split('|').includes(found[i] ?? ''));
  if (!fits || found.length !== scenario.told.length) same(found, scenario.told, `${at}: outcomes`);
  const closed = events.filter((event) => event.type === 'closed');
  same(
    closed.map(({ cause }) => cause),
    [scenario.closed],
    `${at}: the end`,
  );
  same(events.at(-1)?.type, 'closed', `${at}: the last event`);
  const faults = events.flatMap((event) => (event.type === 'fault' ? [event.code] : event.type === 'quirk' ? [event.quirk] : []));
  for (const fault of scenario.faults ?? []) holds((faults as string[]).includes(fault), `${at}: no ${fault} among ${faults}`);
  holds(scenario.sends?.test(sent) !== false, `${at}: it sends ${JSON.stringify(sent.slice(-300))}`);
  holds(scenario.never?.test(sent) !== true, `${at}: it sends ${JSON.stringify(sent.slice(-300))}`);
  holds(waited <= (scenario.within ?? 0) * 1000, `${at}: it waits ${waited} ms`);
  // No secret leaves in clear, unless that was asked for; none is told.
  if (scenario.client?.credentials !== 'cleartext') holds(!clear.includes(SECRET_BASE64), `${at}: credentials in clear`);
  const log = JSON.stringify(events);
  for (const secret of [SECRET, SECRET_BASE64, 'Y29ycmVjd']) holds(!log.includes(secret), `${at}: a secret in ${log}`);
}

export const SCENARIO_LAWS: readonly Law<ClientClass>[] = SCENARIOS.map((scenario) => ({
  name: `client: ${scenario.name}`,
  check(Client, cases) {
    const whole = run(Client, scenario);
    check(scenario, whole, 'whole');
    check(
      scenario,
      run(Client, scenario, (text) => [...text]),
      'octet by octet',
    );
    const few = cases < CASES ? 7 : 1;
    for (let at = 1; at < Math.min(whole.said, MANY); at += few) {
      const cut = (text: string, already: number): string[] => [
        text.slice(0, Math.max(0, at - already)),
        text.slice(Math.max(0, at - already)),
      ];
      check(scenario, run(Client, scenario, cut), `cut at ${at}`);
    }
  },
}));
