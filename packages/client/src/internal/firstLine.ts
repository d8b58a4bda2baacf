/** What is wrong, in the first line of an error: those after it say where, which the setting's name says better. */
export const firstLine = (error: Error): string => error.message.split("\n", 1).join()
