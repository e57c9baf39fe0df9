/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TABLE_H
#define TABLE_H

#include "session.h"

/* Choose the table's name and hold it: no other live session can have the same one. Or exit. */
void table_name(struct session *s);

/* Delete what killed sessions left behind on kernels without owned tables. Or exit. */
void table_heal(struct session *s);

/* Delete a table of ours by name. Best effort: there is nothing to do about a failure. */
void table_delete(struct session *s, const char *name);

/* Is the committed table there, with the flags and as many rules as were sent? */
bool table_verify(struct session *s, uint32_t rules);

#endif
