const STORED = /^(?:https?:\/\/[^/]+)?\/api\/desk\/files\/([A-Za-z0-9_-]+)/;

/** The id of the stored file an image address points at; null when it is not ours. */
export function fileIdOf(src: string): string | null {
  return STORED.exec(src)?.[1] ?? null;
}

/** The address a text keeps for a stored file: without token, the server and other tabs add their own. */
export const storedSrc = (id: string) => `/api/desk/files/${id}`;
