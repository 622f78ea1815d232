# cmake -DFROM=task_sockets.bpf.o -DTO=task_sockets.inc -P embed.cmake: the bytes of a file as the
# elements of a C array.

file(READ ${FROM} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
file(WRITE ${TO} "${bytes}")
