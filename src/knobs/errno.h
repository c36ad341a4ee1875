/* Names and Linux numbers of errors. Arguments and results are this program's <errno.h> values,
 * positive or, where said, negative.
 */

#ifndef HO_KNOBS_ERRNO_H
#define HO_KNOBS_ERRNO_H

/* "ETIMEDOUT" for ETIMEDOUT and for -ETIMEDOUT; "0" for 0; "E?" if it is not in the list. */
const char *ho_errno_name(int err);

/* A sentence for people; "" for 0 and for what is not in the list. */
const char *ho_errno_text(int err);

/* Linux's number (110 for ETIMEDOUT), positive; 0 if it is not in the list. */
int ho_errno_linux(int err);

/* This program's value, positive, for "ETIMEDOUT". Returns -ENOENT if there is none. */
int ho_errno_find(const char *name);

/* This program's value, positive, for Linux's number. Returns -ENOENT if there is none. */
int ho_errno_from_linux(int number);

#endif
