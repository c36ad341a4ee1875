/* The loop of a lab: sleeps until the engine, a client or a signal wants something. */

#include "kernel/lab.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/lab_state.h"
#include "os/loop.h"
#include "play/trace.h"
#include "timeline/jsonl.h"

enum tag {
    TAG_ENGINE,
    TAG_LISTENER,
    TAG_SIGNAL,
    TAG_CLIENT /* + its place */
};

struct loop {
    struct ho_lab lab;
    struct ho_os_loop *os;
    int signals; /* their descriptor */
    int signal;  /* the one that came */
};

/* ---- clients --------------------------------------------------------------------------------- */

static void drop_client(struct loop *l, struct ho_lab_client *c)
{
    ho_os_loop_remove(l->os, c->control.fd);
    ho_control_close(&c->control);
    *c = (struct ho_lab_client){ .control.fd = -1 };
}

/* Waits for room in its socket only while something is to be sent. */
static int watch_client(struct loop *l, struct ho_lab_client *c)
{
    uint64_t tag = TAG_CLIENT + (uint64_t)(c - l->lab.client);

    return ho_os_loop_change(l->os, c->control.fd,
                             HO_OS_IN | (ho_control_waits(&c->control) ? HO_OS_OUT : 0), tag);
}

static void take_clients(struct loop *l)
{
    static const char full[] = "{\"ok\":false,\"error\":\"the lab has too many clients\"}\n";
    int fd;

    while ((fd = ho_control_accept(l->lab.conf->listener)) >= 0 || fd == -EACCES) {
        unsigned i = 0;

        if (fd < 0) {
            continue;
        }
        while (i < HO_LAB_CLIENTS && l->lab.client[i].control.fd >= 0) {
            i++;
        }
        if (i == HO_LAB_CLIENTS) {
            struct ho_control c = { .fd = fd };

            ho_control_write(&c, full, sizeof(full) - 1, NULL, 0);
            ho_control_close(&c);
        } else if (ho_os_loop_add(l->os, fd, HO_OS_IN, TAG_CLIENT + i) != 0) {
            close(fd);
        } else {
            l->lab.client[i] = (struct ho_lab_client){ .control.fd = fd };
        }
    }
}

/* What a client said, answered line by line; it goes when it hangs up or breaks the rules. */
static void serve_client(struct loop *l, struct ho_lab_client *c)
{
    int err = ho_control_flush(&c->control);
    const char *line;

    err = err != 0 ? err : ho_control_read(&c->control, HO_CONTROL_LINE);
    while (err == 0 && !l->lab.down && (line = ho_control_line(&c->control)) != NULL) {
        err = ho_lab_ask(&l->lab, c, line);
    }
    if (err == -EMSGSIZE) {
        static const char text[] = "{\"ok\":false,\"error\":\"the line is too long\"}\n";

        ho_control_write(&c->control, text, sizeof(text) - 1, NULL, 0);
    }
    if (err != 0 || c->control.ended || watch_client(l, c) != 0) {
        drop_client(l, c);
    }
}

/* ---- records --------------------------------------------------------------------------------- */

/* A text of a record that is told before the name in it is known is empty. */
static const char *live_text(struct ho_play_conn *const *by_serial, const char *text)
{
    if (text == NULL || text[0] != '\1') {
        return text;
    }
    const char *name = by_serial != NULL ? ho_play_conns_text(by_serial, text) : "";

    return name[0] != '\1' ? name : "";
}

static void live_record(struct ho_text *out, struct ho_play_conn *const *by_serial,
                        const struct ho_record *rec)
{
    struct ho_record r = *rec;

    r.process = live_text(by_serial, r.process);
    r.conn = live_text(by_serial, r.conn);
    if (r.kind == HO_REC_SOCK) {
        r.u.sock.sock = live_text(by_serial, r.u.sock.sock);
    }
    ho_text_put(out, "{\"record\":");
    ho_jsonl_record(out, &r, 0);
    out->len -= out->len > 0 && out->s[out->len - 1] == '\n';
    ho_text_put(out, "}\n");
}

static void send_records(struct loop *l, struct ho_lab_client *c)
{
    const struct ho_timeline *tl = ho_kernel_timeline(l->lab.kernel);
    struct ho_text out = { 0 };

    if (tl == NULL || c->sent >= tl->n) {
        return;
    }
    struct ho_play_conn **by_serial = ho_play_conns_list(&ho_kernel_trace(l->lab.kernel)->conns);

    for (; c->sent < tl->n; c->sent++) {
        live_record(&out, by_serial, &tl->rec[c->sent]);
    }
    free(by_serial);
    int err = ho_text_err(&out);

    err = err != 0 ? err : ho_control_write(&c->control, ho_text_str(&out), out.len, NULL, 0);
    ho_text_free(&out);
    if (err != 0 || watch_client(l, c) != 0) {
        drop_client(l, c);
    }
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void handle(struct loop *l, uint64_t tag)
{
    if (tag == TAG_ENGINE) {
        l->lab.err = ho_kernel_poll(l->lab.kernel);
    } else if (tag == TAG_LISTENER) {
        take_clients(l);
    } else if (tag == TAG_SIGNAL) {
        l->signal = ho_os_signals_read(l->signals);
        l->lab.down = l->lab.down || l->signal > 0;
    } else if (l->lab.client[tag - TAG_CLIENT].control.fd >= 0) {
        serve_client(l, &l->lab.client[tag - TAG_CLIENT]);
    }
}

static int serve(struct loop *l)
{
    struct ho_os_event event[16];

    while (!l->lab.down && l->lab.err == 0) {
        int n = ho_os_loop_wait(l->os, event, 16, HO_NEVER);

        if (n < 0 && n != -EINTR) {
            return n;
        }
        for (int i = 0; i < n && l->lab.err == 0; i++) {
            handle(l, event[i].tag);
        }
        for (unsigned i = 0; i < HO_LAB_CLIENTS; i++) {
            if (l->lab.client[i].records) {
                send_records(l, &l->lab.client[i]);
            }
        }
    }
    return l->lab.err;
}

static int open_loop(struct loop *l)
{
    static const int ends[] = { SIGINT, SIGTERM, SIGHUP, 0 };
    int err = ho_os_loop_new(&l->os);

    err = err != 0 ? err : ho_os_signals_open(&l->signals, ends);
    err = err != 0 ? err : ho_os_loop_add(l->os, l->signals, HO_OS_IN, TAG_SIGNAL);
    err = err != 0 ? err : ho_os_loop_add(l->os, l->lab.conf->listener, HO_OS_IN, TAG_LISTENER);
    return err != 0 ? err
                    : ho_os_loop_add(l->os, ho_kernel_pollfd(l->lab.kernel), HO_OS_IN, TAG_ENGINE);
}

static void close_loop(struct loop *l)
{
    for (unsigned i = 0; i < HO_LAB_CLIENTS; i++) {
        if (l->lab.client[i].control.fd >= 0) {
            drop_client(l, &l->lab.client[i]);
        }
    }
    ho_os_loop_free(l->os);
    if (l->signals >= 0) {
        close(l->signals);
    }
    free(l->lab.cable);
}

int ho_lab_run(const struct ho_lab_conf *conf, int *ret_signal)
{
    struct loop l = { .lab = { .conf = conf,
                               .kernel = ho_kernel_of(conf->engine),
                               .plan = ho_session_plan(conf->session) },
                      .signals = -1 };
    size_t cables = l.lab.plan->cable_count;
    int err;

    for (unsigned i = 0; i < HO_LAB_CLIENTS; i++) {
        l.lab.client[i].control.fd = -1;
    }
    l.lab.cable = calloc(cables + 1, sizeof(*l.lab.cable));
    err = l.lab.cable == NULL ? -ENOMEM : open_loop(&l);
    for (size_t i = 0; i < cables && err == 0; i++) {
        memcpy(l.lab.cable[i], "plugged", 8);
    }
    err = err != 0 ? err : serve(&l);
    if (err == 0) {
        *ret_signal = l.signal;
    }
    close_loop(&l);
    return err;
}
