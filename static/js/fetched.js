// This very page as the server renders it now, for the parts of it that follow the news.
export async function fetchPage() {
  const response = await fetch(window.location.href, { headers: { Accept: "text/html" } });
  if (!response.ok || response.redirected) throw new Error(`the page answers ${response.status}`);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}
