/** The typed route table: names, paths and what each needs. */
export const ROUTES = {
  home: '/',
  signIn: '/sign-in',
  setup: '/setup',
  invite: '/invite/:token',
  inbox: '/inbox/:view/:number?',
  outbox: '/outbox/:id?',
  settings: '/settings/:section?/:id?',
  sandbox: '/sandbox',
  me: '/me',
} as const;

export type RouteName = keyof typeof ROUTES;
type ParamOf<S extends string> = S extends `${infer A}/${infer B}`
  ? ParamOf<A> & ParamOf<B>
  : S extends `:${infer P}?`
    ? { [K in P]?: string | number }
    : S extends `:${infer P}`
      ? { [K in P]: string | number }
      : unknown;
export type Params<N extends RouteName> = ParamOf<(typeof ROUTES)[N]>;
export type Query = Record<string, string | undefined>;

export interface Match {
  name: RouteName | 'lost';
  params: Record<string, string>;
  query: Record<string, string>;
}

/** The route a path leads to; 'lost' when there is none. */
export function match(url: string): Match {
  const { pathname, searchParams } = new URL(url, 'http://desk');
  const query = Object.fromEntries(searchParams);
  const parts = pathname.split('/').filter(Boolean);
  for (const [name, path] of Object.entries(ROUTES)) {
    const params = fit(path.split('/').filter(Boolean), parts);
    if (params) return { name: name as RouteName, params, query };
  }
  return { name: 'lost', params: {}, query };
}

function fit(pattern: string[], parts: string[]): Record<string, string> | null {
  if (parts.length > pattern.length) return null;
  const params: Record<string, string> = {};
  for (const [i, want] of pattern.entries()) {
    const part = parts[i];
    if (!want.startsWith(':')) {
      if (part !== want) return null;
    } else if (part !== undefined) {
      const value = decode(part);
      if (value === null) return null;
      params[want.slice(1).replace('?', '')] = value;
    } else if (!want.endsWith('?')) return null;
  }
  return params;
}

/** null for what is no text, such as "%zz". */
function decode(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

/** The path of a route, with parameters and query filled in. */
export function href<N extends RouteName>(name: N, params?: Params<N>, query?: Query): string {
  const path = ROUTES[name]
    .split('/')
    .map((part) => {
      if (!part.startsWith(':')) return part;
      const value = (params as Record<string, unknown> | undefined)?.[part.slice(1).replace('?', '')];
      return value === undefined ? undefined : encodeURIComponent(String(value));
    })
    .filter((part) => part !== undefined)
    .join('/');
  const entries = Object.entries(query ?? {}).filter(([, v]) => v !== undefined && v !== '') as [string, string][];
  const search = new URLSearchParams(entries).toString();
  return (path || '/') + (search ? `?${search}` : '');
}

class Router {
  current = $state.raw<Match>(match(location.href));
  /** The current page was come back to, or gone forward to, in the browser's history. */
  returned = false;

  start(): () => void {
    const sync = () => {
      this.returned = true;
      this.current = match(location.href);
    };
    const click = (e: MouseEvent) => this.#intercept(e);
    addEventListener('popstate', sync);
    document.addEventListener('click', click);
    return () => {
      removeEventListener('popstate', sync);
      document.removeEventListener('click', click);
    };
  }

  go(path: string, options: { replace?: boolean } = {}) {
    if (path === location.pathname + location.search + location.hash) return;
    this.returned = false;
    history[options.replace ? 'replaceState' : 'pushState']({}, '', path);
    this.current = match(location.href);
  }

  /** Follows links of ours without a page load, leaves all others to the browser. */
  #intercept(e: MouseEvent) {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const link = (e.target as Element | null)?.closest?.('a[href]') as HTMLAnchorElement | null;
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (match(link.href).name === 'lost') return;
    e.preventDefault();
    this.go(link.pathname + link.search + link.hash);
    if (!link.closest('main')) focusPage();
  }
}

/** Takes the focus to the page, so that Enter does not follow the last link or button once more. */
export function focusPage() {
  document.getElementById('main')?.focus({ preventScroll: true });
}

export const router = new Router();
