interface Watcher {
  onclose: (() => void) | null;
  destroy(): void;
}

/**
 * Calls close when someone goes back, by gesture or button, instead of leaving
 * the page; only where the browser has a CloseWatcher. Returns what ends it.
 */
export function onBack(close: () => void): () => void {
  const { CloseWatcher } = window as { CloseWatcher?: new () => Watcher };
  if (!CloseWatcher) return () => {};
  const watcher = new CloseWatcher();
  watcher.onclose = close;
  return () => watcher.destroy();
}
