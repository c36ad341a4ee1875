/* The words of forecast/predict.h, from its lists. */

#include "forecast/predict.h"

const char *ho_predict_fault_word(enum ho_predict_fault fault)
{
    static const char *const words[] = {
#define X(id, word, text) word,
        HO_PREDICT_FAULTS(X)
#undef X
    };

    return words[fault];
}

const char *ho_predict_fault_text(enum ho_predict_fault fault)
{
    static const char *const texts[] = {
#define X(id, word, text) text,
        HO_PREDICT_FAULTS(X)
#undef X
    };

    return texts[fault];
}

const char *ho_predict_activity_word(enum ho_predict_activity activity)
{
    static const char *const words[] = {
#define X(id, word, text) word,
        HO_PREDICT_ACTIVITIES(X)
#undef X
    };

    return words[activity];
}

const char *ho_predict_activity_text(enum ho_predict_activity activity)
{
    static const char *const texts[] = {
#define X(id, word, text) text,
        HO_PREDICT_ACTIVITIES(X)
#undef X
    };

    return texts[activity];
}

const char *ho_predict_outcome_word(enum ho_predict_outcome outcome)
{
    static const char *const words[] = {
#define X(id, word) word,
        HO_PREDICT_OUTCOMES(X)
#undef X
    };

    return words[outcome];
}

const char *ho_predict_origin_text(enum ho_predict_origin origin)
{
    static const char *const texts[] = {
#define X(id, text) text,
        HO_PREDICT_ORIGINS(X)
#undef X
    };

    return texts[origin];
}

const char *ho_predict_knob_word(enum ho_predict_knob knob)
{
    static const char *const words[] = {
#define X(id, word, sysctls, options) word,
        HO_PREDICT_KNOBS(X)
#undef X
    };

    return words[knob];
}

const char *ho_predict_knob_sysctls(enum ho_predict_knob knob)
{
    static const char *const sysctls_of[] = {
#define X(id, word, sysctls, options) sysctls,
        HO_PREDICT_KNOBS(X)
#undef X
    };

    return sysctls_of[knob];
}

const char *ho_predict_knob_options(enum ho_predict_knob knob)
{
    static const char *const options_of[] = {
#define X(id, word, sysctls, options) options,
        HO_PREDICT_KNOBS(X)
#undef X
    };

    return options_of[knob];
}

const char *ho_predict_call(const struct ho_prediction *p)
{
    if (!p->told) {
        return "";
    }
    return p->activity == HO_ACTIVITY_CONNECT ? "connect" : "recv";
}
