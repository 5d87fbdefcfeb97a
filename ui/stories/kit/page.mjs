/** Waits until a message of the open conversation says this, in its frame or in the page. */
export async function reads(page, text) {
  await page.waitForFunction((wanted) => {
    const bodies = [...document.querySelectorAll('article iframe')].map((frame) => frame.contentDocument?.body);
    return [...bodies, ...document.querySelectorAll('article')].some((part) => part?.innerText.includes(wanted));
  }, text);
}

/** Goes to a path of the desk; without loading the workspace anew where nothing stands in the way. */
export async function go(page, url) {
  const there = new URL(url);
  const inside = page.url().startsWith(there.origin) && (await page.getByRole('dialog').count()) === 0;
  if (!inside) return page.goto(url);
  await page.evaluate((path) => {
    history.pushState(null, '', path);
    dispatchEvent(new PopStateEvent('popstate'));
  }, there.pathname + there.search);
}
