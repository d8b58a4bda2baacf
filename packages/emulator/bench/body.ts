/** What every benchmark asks for. */
export const body = `{"FromUserId":"u1","Limit":5}`
