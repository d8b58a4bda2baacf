/** What `GET /` shows where no inspector is mounted: where the API is described. */
export const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>effect-zim emulator</title>
<h1>effect-zim emulator: admin API</h1>
<ul>
<li><a href="/status">Status</a></li>
<li><a href="/users">Users</a></li>
<li><a href="/faults">Faults</a></li>
<li><a href="/quota">Quota</a></li>
<li><a href="/clock">Clock</a></li>
<li><a href="/journal?latest=100">Journal</a> and its <a href="/journal/stats">numbers</a></li>
<li><a href="/openapi.json">All routes (OpenAPI)</a></li>
</ul>
`
