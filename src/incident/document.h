/* Document: blocks of words, written as plain text and as HTML that say the same. The HTML has no
 * link, image, script or anything remote; what looks like markup in the words is escaped. */
#ifndef COFFERDAM_INCIDENT_DOCUMENT_H
#define COFFERDAM_INCIDENT_DOCUMENT_H

#include "incident/template.h"

/* Lines of at most 72 characters where words allow it, ending in \n. */
void document_text(const struct document *document, struct buffer *out);
/* A whole page. language: en, fr (the lang attribute); title: of the page. */
void document_html(const struct document *document, const char *language, const char *title,
                   struct buffer *out);
/* The words of one text, escaped for HTML content and quoted attributes. */
void document_escape(const char *text, struct buffer *out);
/* A copy of a text that came from elsewhere, made fit for one line: controls and line breaks are
 * spaces, runs of spaces single, bidirectional and invisible formatting characters (Unicode TR 36,
 * 2.10.2) and broken UTF-8 are gone. NULL where the arena is full. */
const char *document_clean(const char *text, struct arena *arena);

#endif
