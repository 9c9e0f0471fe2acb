/* Jurisdictions: what a law asks after a breach, and when, from data files
 * (share/jurisdictions/NAME.yaml): clocks, authorities and their forms move, and are never
 * constants in code. Immutable once loaded; owned by the caller. */
#ifndef COFFERDAM_POLICY_JURISDICTION_H
#define COFFERDAM_POLICY_JURISDICTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* What discharges a duty. */
enum jurisdiction_stop {
    JURISDICTION_STOP_FILING,  /* a filing with the clock's authority */
    JURISDICTION_STOP_NOTICES, /* the notices to people */
    JURISDICTION_STOP_DOSSIER, /* closing the case with its record */
    JURISDICTION_STOP_NOTICED, /* the processor's own notice to us: shown, not ours to do */
};

/* A duty with a deadline, counted from when the controller became aware. */
struct jurisdiction_clock {
    const char *name; /* authority-notice */
    const char *duty; /* "Notify the ICO" */
    enum jurisdiction_stop stop;
    const char *authority; /* ico: whose filing stops it; NULL unless a filing does */
    int64_t limit_ns;      /* INT64_MAX: "without undue delay", no number in the law */
    const char *source;    /* "UK GDPR Art. 33(1)" */
    const char *note;      /* or NULL */
};

struct jurisdiction_authority {
    const char *name;  /* ico */
    const char *title; /* "Information Commissioner's Office" */
    const char *where; /* how a notice is filed: words, a telephone number */
    const char *form;  /* name of the sheet in share/reports */
};

struct jurisdiction {
    const char *name, *title;
    const struct jurisdiction_clock *clocks;
    size_t clock_count;
    const struct jurisdiction_authority *authorities;
    size_t authority_count;
    int child_below_years; /* younger people are written to through a parent or guardian */
    const char *version;   /* hex SHA-256 of the file */
};

MUST_USE enum status jurisdiction_load(const char *path, struct jurisdiction **jurisdiction,
                                       struct error *error);
void jurisdiction_free(struct jurisdiction *jurisdiction); /* NULL is fine */

#endif
