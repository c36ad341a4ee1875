/* Unit tests of src/timeline/record.c: the list of records and its names. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "timeline/record.h"

static struct ho_record note_at(int64_t ns, const char *text)
{
    return (struct ho_record){ .t = { ns }, .kind = HO_REC_NOTE, .u.note = { text } };
}

static void equal_names_are_one_pointer_that_never_moves(void **state)
{
    (void)state;
    struct ho_timeline tl;
    const char *first[500];
    char text[32];

    ho_timeline_init(&tl, 0);
    for (int i = 0; i < 500; i++) {
        snprintf(text, sizeof(text), "host%d", i);
        first[i] = ho_timeline_name(&tl, text);
        assert_string_equal(first[i], text);
    }
    for (int i = 0; i < 500; i++) {
        snprintf(text, sizeof(text), "host%d", i);
        assert_ptr_equal(ho_timeline_name(&tl, text), first[i]);
        assert_string_equal(first[i], text);
    }
    assert_string_equal(ho_timeline_name(&tl, NULL), "");
    ho_timeline_destroy(&tl);
}

static void a_name_longer_than_a_block_is_kept_whole(void **state)
{
    (void)state;
    struct ho_timeline tl;
    static char text[10000];

    memset(text, 'x', sizeof(text) - 1);
    ho_timeline_init(&tl, 0);
    assert_string_equal(ho_timeline_name(&tl, "short"), "short");
    assert_string_equal(ho_timeline_name(&tl, text), text);
    assert_string_equal(ho_timeline_name(&tl, "short"), "short");
    ho_timeline_destroy(&tl);
}

static void absent_texts_become_empty_ones(void **state)
{
    (void)state;
    struct ho_timeline tl;
    struct ho_record fault = { .kind = HO_REC_FAULT, .u.fault = { .verb = "cut" } };

    ho_timeline_init(&tl, 0);
    assert_int_equal(ho_timeline_append(&tl, &fault), 0);
    assert_string_equal(tl.rec[0].host, "");
    assert_string_equal(tl.rec[0].u.fault.name, "cut"); /* without a label the verb is the name */
    assert_string_equal(tl.rec[0].u.fault.detail, "");
    ho_timeline_destroy(&tl);
}

static void a_full_timeline_counts_what_comes_after(void **state)
{
    (void)state;
    struct ho_timeline tl;
    struct ho_record note = note_at(1, "n");

    ho_timeline_init(&tl, 3);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(ho_timeline_append(&tl, &note), 0);
    }
    assert_int_equal(tl.n, 3);
    assert_int_equal(tl.dropped, 7);
    ho_timeline_destroy(&tl);
}

static void frames_are_kept_only_when_asked_for(void **state)
{
    (void)state;
    struct ho_timeline tl;
    struct ho_record seg = { .kind = HO_REC_SEG };
    const uint8_t a[] = { 1, 2, 3 }, b[] = { 4, 5 };

    ho_timeline_init(&tl, 0);
    assert_int_equal(ho_timeline_append_frame(&tl, &seg, a, sizeof(a)), 0);
    tl.keep_frames = true;
    assert_int_equal(ho_timeline_append_frame(&tl, &seg, a, sizeof(a)), 0);
    assert_int_equal(ho_timeline_append_frame(&tl, &seg, b, sizeof(b)), 0);
    assert_int_equal(tl.rec[0].frame_len, 0);
    assert_int_equal(tl.rec[1].frame_len, 3);
    assert_memory_equal(tl.frames + tl.rec[1].frame_at, a, 3);
    assert_memory_equal(tl.frames + tl.rec[2].frame_at, b, 2);
    ho_timeline_destroy(&tl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_names_are_one_pointer_that_never_moves),
        cmocka_unit_test(a_name_longer_than_a_block_is_kept_whole),
        cmocka_unit_test(absent_texts_become_empty_ones),
        cmocka_unit_test(a_full_timeline_counts_what_comes_after),
        cmocka_unit_test(frames_are_kept_only_when_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
