// What the server is asked.

class Failed extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(path, { method = 'GET', body, signal } = {}) {
  const given = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(path, { method, signal, ...given });
  if (response.status === 204) return null;
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw new Failed(response.status, told.error ?? response.statusText);
  return told;
}

const mail = (id) => `/api/mails/${encodeURIComponent(id)}`;

export const api = {
  info: () => ask('/api/info'),
  mails: (query, start, limit) => ask(`/api/mails?${new URLSearchParams({ query, start, limit })}`),
  mail: (id) => ask(mail(id)),
  mark: (id, read) => ask(mail(id), { method: 'PATCH', body: { read } }),
  remove: (id) => ask(mail(id), { method: 'DELETE' }),
  removeAll: (query) => ask(`/api/mails?${new URLSearchParams({ query })}`, { method: 'DELETE' }),
  release: (id, to) => ask(`${mail(id)}/release`, { method: 'POST', body: { to } }),
  rawPath: (id) => `${mail(id)}/raw`,
  htmlPath: (id, scheme) => `${mail(id)}/html?scheme=${scheme}`,
  partPath: (id, part) => `${mail(id)}/parts/${part}`,
  sessions: () => ask('/api/sessions'),
  session: (id) => ask(`/api/sessions/${id}`),
  stubs: () => ask('/api/stubs'),
  addStub: (stub) => ask('/api/stubs', { method: 'POST', body: stub }),
  removeStub: (id) => ask(`/api/stubs/${id}`, { method: 'DELETE' }),
  queue: () => ask('/api/queue'),
  queueJobs: (filters) => ask(`/api/queue/jobs?${new URLSearchParams(filters)}`),
  queueJob: (id) => ask(`/api/queue/jobs/${encodeURIComponent(id)}`),
  queueWish: (id, what) => ask(`/api/queue/jobs/${encodeURIComponent(id)}/${what}`, { method: 'POST' }),
  states: () => ask('/states.json'),
};

/** Tells of what happens, and of each time that it can be told again. */
export function listen({ mail, change, live }) {
  const source = new EventSource('/api/events');
  source.addEventListener('open', () => live(true));
  source.addEventListener('error', () => live(false));
  source.addEventListener('mail', ({ data }) => mail(JSON.parse(data)));
  source.addEventListener('change', ({ data }) => change(JSON.parse(data)));
}
