/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUDIT_H
#define AUDIT_H

#include "session.h"

/*
 * One key=value line per event to the system log, facility authpriv, with the caller's uid. Values
 * are numbers or words from this source, never text from outside. A machine without a system
 * log, or with one that does not keep up, loses lines; nothing waits.
 */
void audit_open(struct session *s);
void audit_start(struct session *s);
void audit_commit(struct session *s);
void audit_deny(struct session *s, const char *what, unsigned why); /* the first few */
void audit_end(struct session *s, const char *cause);

#endif
