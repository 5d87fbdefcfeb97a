import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { href, match, router } from '../src/core/router.svelte';

describe('match', () => {
  it.each([
    ['/', 'home', {}],
    ['/inbox/mine', 'inbox', { view: 'mine' }],
    ['/inbox/team-ab1/10482', 'inbox', { view: 'team-ab1', number: '10482' }],
    ['/settings', 'settings', {}],
    ['/settings/mailboxes', 'settings', { section: 'mailboxes' }],
    ['/invite/a%2Fb', 'invite', { token: 'a/b' }],
  ])('%s is %s', (path, name, params) => {
    expect(match(path)).toMatchObject({ name, params });
  });

  it('knows that a path leads nowhere', () => {
    expect(match('/inbox').name).toBe('lost');
    expect(match('/inbox/mine/1/2').name).toBe('lost');
    expect(match('/nothing').name).toBe('lost');
    expect(match('/inbox/%zz').name).toBe('lost');
  });

  it('reads the query', () => {
    expect(match('/setup?token=abc&x=').query).toEqual({ token: 'abc', x: '' });
  });
});

describe('href', () => {
  it('fills parameters, leaves optional ones out and drops empty queries', () => {
    expect(href('inbox', { view: 'mine' })).toBe('/inbox/mine');
    expect(href('inbox', { view: 'mine', number: 7 }, { tab: 'waiting', q: '' })).toBe('/inbox/mine/7?tab=waiting');
    expect(href('home')).toBe('/');
    expect(href('invite', { token: 'a/b' })).toBe('/invite/a%2Fb');
  });
});

describe('router', () => {
  let stop: () => void;
  beforeEach(() => (stop = router.start()));
  afterEach(() => stop());

  function click(html: string, init: MouseEventInit = {}) {
    document.body.innerHTML = html;
    const e = new MouseEvent('click', { bubbles: true, cancelable: true, button: 0, ...init });
    document.querySelector('a')!.dispatchEvent(e);
    return e.defaultPrevented;
  }

  it('follows links of ours without loading the page', () => {
    expect(click('<a href="/outbox/d1?tab=failed">x</a>')).toBe(true);
    expect(router.current).toMatchObject({ name: 'outbox', params: { id: 'd1' }, query: { tab: 'failed' } });
  });

  it.each([
    ['a new tab', '<a href="/me" target="_blank">x</a>', {}],
    ['a download', '<a href="/me" download>x</a>', {}],
    ['a page of the server', '<a href="/help/returns">x</a>', {}],
    ['Ctrl+click', '<a href="/me">x</a>', { ctrlKey: true }],
  ])('leaves %s to the browser', (_what, html, init) => {
    document.addEventListener('click', (e) => e.defaultPrevented || setTimeout(() => e.preventDefault()), {
      once: true,
    });
    expect(click(html, init)).toBe(false);
  });
});
