/* SPDX-License-Identifier: MIT */
/*
 * private_folder.h - a temporary folder that only we can enter
 */
#ifndef PRIVATE_FOLDER_H
#define PRIVATE_FOLDER_H

/* Its path, or NULL if none can be made.  From here until it is removed
 * SIGHUP, SIGINT and SIGTERM are only noted. */
const char *private_folder_make(void);

/* 1 if one of these signals came. */
int private_folder_interrupted(void);

/* Removes it with what is left in it, then lets a noted signal end the
 * process. */
void private_folder_remove(void);

#endif /* PRIVATE_FOLDER_H */
