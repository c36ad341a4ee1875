/* What real commands write and how they end: bytes to lines, lines to events, events to records.
 *
 * A pipe's bytes are cut at line ends. What is longer than HO_SERVICE_LINE is cut off, and the rest
 * of the line thrown away. The line becomes text that every view can show: control characters and
 * what is not UTF-8 (RFC 3629) as \xNN.
 */

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/service_state.h"
#include "os/clock.h"
#include "os/diag.h"

#define AT_ONCE                                                                       \
    65536 /* bytes of one stream that one look takes, so that nobody starves the rest \
           */

static struct ho_service_line *new_event(struct ho_services *s, const struct ho_service *v,
                                         enum ho_service_event_kind kind)
{
    /* An end is one event for each command: those always find room. */
    size_t room = HO_SERVICE_EVENTS - (kind == HO_SERVICE_OUTPUT ? s->count : 0);

    if (s->events >= room) {
        s->dropped++;
        return NULL;
    }
    struct ho_service_line *e = &s->event[(s->first + s->events++) % HO_SERVICE_EVENTS];
    *e = (struct ho_service_line){ .kind = kind, .proc = v->proc, .at_ns = ho_os_now().ns };
    return e;
}

/* How many bytes the UTF-8 character at `p` has; 0: it is none, or a control character. */
static size_t character(const char *p, size_t left)
{
    unsigned char c = (unsigned char)*p;
    size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : 4;

    if (c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xc2) || c > 0xf4 || n > left) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    unsigned char next = n > 1 ? (unsigned char)p[1] : 0x80;
    bool longer = (c == 0xe0 && next < 0xa0) || (c == 0xf0 && next < 0x90); /* than need be */
    bool none = (c == 0xed && next >= 0xa0) || (c == 0xf4 && next >= 0x90); /* no character */
    return longer || none ? 0 : n;
}

/* `len` bytes as text of at most HO_SERVICE_LINE bytes in `out`. */
static void printable(const char *bytes, size_t len, char *out)
{
    size_t used = 0;

    for (size_t i = 0; i < len;) {
        char escaped[8];
        size_t n = character(bytes + i, len - i), size = n;
        const char *from = bytes + i;
        if (n == 0) {
            size = (size_t)snprintf(escaped, sizeof(escaped), "\\x%02x", (unsigned char)bytes[i]);
        } else if (bytes[i] == '\\' && i + 1 < len &&
                   (bytes[i + 1] == 'x' || bytes[i + 1] == '\\')) {
            size = (size_t)snprintf(escaped, sizeof(escaped), "\\\\");
        } else {
            escaped[0] = '\0';
        }
        from = escaped[0] != '\0' ? escaped : from;
        if (used + size > HO_SERVICE_LINE) {
            break;
        }
        memcpy(out + used, from, size);
        used += size;
        i += n != 0 ? n : 1;
    }
    out[used] = '\0';
}

/* A line is whole, or its stream has ended behind it. */
static void end_line(struct ho_services *s, struct ho_service *v, struct ho_service_stream *out)
{
    char *last = v->last[v->last_count % HO_SERVICE_LAST];
    size_t len = out->len;

    if (len > 0 && out->line[len - 1] == '\r' && !out->skips) {
        len--;
    }
    printable(out->line, len, last);
    v->last_count++;
    if (v->how == HO_READY_OUTPUT && !v->ready) {
        v->ready = ho_regex_match(&v->pattern, last, strlen(last));
    }
    struct ho_service_line *e = new_event(s, v, HO_SERVICE_OUTPUT);
    if (e != NULL) {
        e->stderr_ = out == &v->out[1];
        (void)snprintf(e->text, sizeof(e->text), "%s", last);
    }
    out->len = 0;
    out->skips = false;
}

static void take_bytes(struct ho_services *s, struct ho_service *v, struct ho_service_stream *out,
                       const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n') {
            end_line(s, v, out);
        } else if (out->len < sizeof(out->line)) {
            out->line[out->len++] = bytes[i];
        } else {
            out->skips = true;
        }
    }
}

static int read_stream(struct ho_services *s, struct ho_service *v, struct ho_service_stream *out)
{
    char bytes[4096];

    for (size_t sum = 0; out->fd >= 0 && sum < AT_ONCE;) {
        ssize_t n = read(out->fd, bytes, sizeof(bytes));
        if (n > 0) {
            take_bytes(s, v, out, bytes, (size_t)n);
            sum += (size_t)n;
        } else if (n == 0) {
            if (out->len > 0) {
                end_line(s, v, out);
            }
            ho_service_close(s, &out->fd);
        } else if (errno == EAGAIN) {
            return 0;
        } else if (errno != EINTR) {
            return ho_service_fail(s, v->proc, -errno, "cannot read its output: %s",
                                   strerror(errno));
        }
    }
    return 0;
}

int ho_service_read_streams(struct ho_services *s, struct ho_service *v)
{
    int err = read_stream(s, v, &v->out[0]);

    return err == 0 ? read_stream(s, v, &v->out[1]) : err;
}

static void end_command(struct ho_services *s, struct ho_service *v, const struct ho_os_exit *end)
{
    struct ho_service_line *e = new_event(s, v, HO_SERVICE_EXIT);
    const char *name = end->signal != 0 ? sigabbrev_np(end->signal) : NULL;

    v->exited = true;
    v->end = *end;
    if (e == NULL) {
        return;
    }
    e->status = end->signal != 0 ? -1 : end->status;
    if (name != NULL) {
        (void)snprintf(e->text, sizeof(e->text), "SIG%s", name);
    } else if (end->signal != 0) {
        (void)snprintf(e->text, sizeof(e->text), "signal %d", end->signal);
    }
}

int ho_service_look(struct ho_services *s, struct ho_service *v)
{
    struct ho_os_exit command, all;
    bool ended = ho_os_child_command_exit(&v->child, &command) == 0 && !v->exited;
    int gone = ho_os_child_exit(&v->child, &all);
    int err = ho_service_read_streams(s, v); /* what it wrote before it ended comes first */

    if (ended) {
        (void)ho_os_loop_remove(s->loop, v->child.control);
        end_command(s, v, &command);
    }
    if (gone == 0) {
        for (unsigned i = 0; i < HO_SERVICE_STREAMS && err == 0; i++) {
            while (err == 0 && v->out[i].fd >= 0) { /* nobody is left to write: it ends */
                err = read_stream(s, v, &v->out[i]);
            }
        }
        if (!v->exited) {
            end_command(s, v, &all);
        }
        ho_service_forget(s, v);
    }
    return err;
}

int ho_service_write(struct ho_services *s, struct ho_service *v)
{
    size_t done = 0;

    while (v->input >= 0 && done < v->waits_len) {
        ssize_t n = write(v->input, v->waits + done, v->waits_len - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) { /* EPIPE: the command has closed its input */
            ho_service_close(s, &v->input);
        }
    }
    if (v->input < 0) {
        done = v->waits_len;
    }
    if (done > 0) {
        memmove(v->waits, v->waits + done, v->waits_len - done);
        v->waits_len -= done;
    }
    if (v->waits_len == 0 && v->input_ends) {
        ho_service_close(s, &v->input);
    }
    if (v->input < 0) {
        return 0;
    }
    return ho_os_loop_change(s->loop, v->input, v->waits_len > 0 ? HO_OS_OUT : 0,
                             (uint64_t)v->proc * HO_SERVICE_TAGS + HO_SERVICE_TAG_IN);
}

/* --- the loop -------------------------------------------------------------------------------- */

int ho_services_fd(const struct ho_services *s)
{
    return ho_os_loop_fd(s->loop);
}

static int on_event(struct ho_services *s, const struct ho_os_event *e)
{
    struct ho_service *v = &s->service[e->tag / HO_SERVICE_TAGS];
    enum ho_service_tag what = (enum ho_service_tag)(e->tag % HO_SERVICE_TAGS);

    if (!v->runs) {
        return 0; /* it ended in an event before this one */
    }
    if (what == HO_SERVICE_TAG_OUT || what == HO_SERVICE_TAG_ERR) {
        return ho_service_read_streams(s, v);
    }
    if (what == HO_SERVICE_TAG_IN) {
        if ((e->what & HO_OS_ERR) != 0) {
            ho_service_close(s, &v->input);
        }
        return ho_service_write(s, v);
    }
    return ho_service_look(s, v);
}

int ho_services_read(struct ho_services *s)
{
    struct ho_os_event events[32];
    int err = 0;

    int n = ho_os_loop_wait(s->loop, events, 32, (struct ho_time){ 0 });
    for (int i = 0; i < n && err == 0; i++) {
        err = on_event(s, &events[i]);
    }
    if (n < 0 && n != -EINTR) {
        (void)snprintf(s->why, sizeof(s->why), "cannot wait for commands: %s", strerror(-n));
        return n;
    }
    return err;
}

bool ho_services_next(struct ho_services *s, struct ho_service_event *ret)
{
    if (s->events == 0) {
        return false;
    }
    struct ho_service_line *e = &s->handed_out;
    *e = s->event[s->first];
    s->first = (s->first + 1) % HO_SERVICE_EVENTS;
    s->events--;
    *ret = (struct ho_service_event){ .kind = e->kind,
                                      .proc = e->proc,
                                      .at_ns = e->at_ns,
                                      .status = e->status,
                                      .stderr_ = e->stderr_,
                                      .text = e->text };
    return true;
}

uint64_t ho_services_dropped(const struct ho_services *s)
{
    return s->dropped;
}

int ho_services_record(struct ho_record *ret, const struct ho_service_event *event,
                       const struct ho_plan *plan, struct ho_timeline *tl, int64_t zero_ns)
{
    const struct ho_plan_proc *p = &plan->procs[event->proc];
    const bool output = event->kind == HO_SERVICE_OUTPUT;
    const char *host = ho_timeline_name(tl, plan->nodes[p->host].name);
    const char *process = ho_timeline_name(tl, p->name);
    const char *text = ho_timeline_name(tl, event->text);

    if (host == NULL || process == NULL || text == NULL) {
        return -ENOMEM;
    }
    *ret = (struct ho_record){ .t = { event->at_ns - zero_ns },
                               .kind = HO_REC_APP,
                               .host = host,
                               .process = process,
                               .conn = "",
                               .u.app = { .call = output ? "output" : "exit",
                                          .sock = "",
                                          .detail = text,
                                          .err = "",
                                          .ret = output ? (int64_t)strlen(event->text)
                                                        : event->status } };
    return 0;
}
