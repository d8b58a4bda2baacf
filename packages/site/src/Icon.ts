/** The letter of `zim` on the colour of links. */
export const icon =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#3451b2"/><path d="M4.5 4.5h7l-7 7h7" fill="none" stroke="#fff" stroke-width="2"/></svg>'
  )
