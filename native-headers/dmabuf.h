/* Package dev.iolite.uapi.dmabuf: dma-buf synchronisation and dma-bufs made of memfd pages. */
#include <linux/dma-buf.h>
#include <linux/udmabuf.h>
