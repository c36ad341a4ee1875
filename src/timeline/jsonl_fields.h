/* Which fields each kind of record has in a file, in order. Internal to jsonl*.c.
 *
 * A field has a name, a type, where its value lies in struct ho_record, and where the flag lies
 * that says whether it is there (0: the type decides).
 */

#ifndef HO_TIMELINE_JSONL_FIELDS_H
#define HO_TIMELINE_JSONL_FIELDS_H

#include <stddef.h>

#include "timeline/record.h"

enum jsonl_type {
    JSONL_TEXT,      /* const char * */
    JSONL_TEXT_OPT,  /* left out when "" */
    JSONL_TEXT_NULL, /* null when "" */
    JSONL_VALUE,     /* a setting's value: text or integer */
    JSONL_BOOL,
    JSONL_BOOL_OPT, /* left out when false */
    JSONL_U8,
    JSONL_U16,
    JSONL_U32,
    JSONL_I64,
    JSONL_U64_OPT, /* left out when 0 */
    JSONL_DUR,     /* struct ho_dur, in microseconds */
    JSONL_FATE,
    JSONL_DT,    /* struct ho_dur, only with fate fwd */
    JSONL_FLAGS, /* HO_TCP_* as letters */
    JSONL_ACK,   /* uint32_t, null without HO_TCP_ACK */
    JSONL_TS,
    JSONL_SACK,
    JSONL_OP, /* bool answer: "is-at" or "who-has" */
    JSONL_ADDR,
    JSONL_EVENTS,
    JSONL_TIMER
};

enum jsonl_when {
    JSONL_ALWAYS,
    JSONL_WITH_RAW,   /* only with HO_JSONL_RAW, and optional when read */
    JSONL_NOT_ENTERED /* an app record: not with `enter` */
};

struct jsonl_field {
    const char *name; /* NULL ends a list */
    enum jsonl_type type;
    size_t at, has;
    enum jsonl_when when;
};

/* The fields of `rec`'s kind, after t_us, kind, host, process and conn. */
const struct jsonl_field *jsonl_fields(enum ho_rec_kind kind);

#endif
