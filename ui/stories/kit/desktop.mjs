/** Waits until a message of the open conversation says this, in its frame or in the page. */
export async function reads(page, text) {
  await page.waitForFunction((wanted) => {
    const bodies = [...document.querySelectorAll('article iframe')].map((frame) => frame.contentDocument?.body);
    return [...bodies, ...document.querySelectorAll('article')].some((part) => part?.innerText.includes(wanted));
  }, text);
}
