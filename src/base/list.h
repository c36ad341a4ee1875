/* An intrusive doubly linked list. The head is a node of its own; a node that is in no list
 * points nowhere, so leaving twice is harmless and membership can be asked.
 */

#ifndef HO_BASE_LIST_H
#define HO_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct ho_list {
    struct ho_list *next, *prev;
};

/* The struct that holds `node` as its member `member`. */
#define ho_container(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void ho_list_init(struct ho_list *head)
{
    head->next = head;
    head->prev = head;
}

static inline bool ho_list_empty(const struct ho_list *head)
{
    return head->next == head;
}

static inline bool ho_list_linked(const struct ho_list *node)
{
    return node->next != NULL;
}

static inline void ho_list_push(struct ho_list *head, struct ho_list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

static inline void ho_list_remove(struct ho_list *node)
{
    if (node->next == NULL) {
        return;
    }
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = NULL;
    node->prev = NULL;
}

/* The first node, taken out; NULL if the list is empty. */
static inline struct ho_list *ho_list_shift(struct ho_list *head)
{
    struct ho_list *node = head->next;

    if (node == head) {
        return NULL;
    }
    ho_list_remove(node);
    return node;
}

#endif
