/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WORDS_H
#define WORDS_H

/*
 * Split a command line into words the way a POSIX shell quotes: blanks separate, '...' and "..."
 * and backslash keep. Nothing is expanded and no shell runs. Returns a NULL-terminated array
 * (free it with words_free()) or NULL with errno EINVAL: a quote is not closed.
 */
char **words_split(const char *text);
void words_free(char **words);

#endif
