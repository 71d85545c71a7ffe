/* I/O threads and the main thread of a block layer like QEMU's: macros in bodies, the big lock, and what event loops
 * run. */
#include <assert.h>
#include <stddef.h>

_Bool qemu_in_main_thread(void);
void bql_lock(void);
void bql_unlock(void);
void aio_co_reschedule_self(void *context);
void *qemu_get_aio_context(void);

#define GLOBAL_STATE_CODE() do { assert(qemu_in_main_thread()); } while (0)
#define IO_CODE() do { } while (0)
#define IO_OR_GS_CODE() do { } while (0)

typedef struct Disk Disk;
typedef struct VirtQueue { void (*handle_output)(Disk *disk); } VirtQueue;

struct Disk {
    int cache;
    const struct DiskOps *ops;
    VirtQueue queue;
};

struct DiskOps {
    void (*write_data)(Disk *disk);
};

/* The assertion in the macro needs no other mark. */
void disk_set_cache(Disk *disk, int cache)
{
    GLOBAL_STATE_CODE();
    disk->cache = cache;
}

void disk_open(Disk *disk)
{
    GLOBAL_STATE_CODE();
    disk_set_cache(disk, 1);
}

/* The two macros contradict each other. */
void disk_submit(Disk *disk)
{
    IO_CODE();
    disk_set_cache(disk, 0); /* expect: warning main-thread-call: `GLOBAL_STATE_CODE` `disk_set_cache` called without a guard from `IO_CODE` `disk_submit` */
}

void disk_flush(Disk *disk)
{
    IO_CODE();
    if (qemu_in_main_thread()) {
        disk_set_cache(disk, 0);
    }
}

/* It depends on its caller. */
static void disk_drain(Disk *disk)
{
    IO_OR_GS_CODE();
    disk_set_cache(disk, 0);
}

void disk_close(Disk *disk)
{
    GLOBAL_STATE_CODE();
    disk_drain(disk);
}

static void mode_select(Disk *disk)
{
    disk_set_cache(disk, 1);
}

static void read_only(Disk *disk)
{
    disk->cache = 0;
}

static const struct DiskOps emulated = { .write_data = mode_select };
static const struct DiskOps generic = { .write_data = read_only };

void disk_select(Disk *disk, int is_generic)
{
    disk->ops = is_generic ? &generic : &emulated;
}

/* The pack names it: queues of this device are handled in I/O threads. */
void virtio_scsi_handle_cmd(Disk *disk)
{
    disk->ops->write_data(disk); /* expect: warning main-thread-call: call through `DiskOps::write_data` in an I/O thread in `virtio_scsi_handle_cmd` may lead to `GLOBAL_STATE_CODE` `disk_set_cache` */
}

/* Queues of other devices are not: the pack does not follow the pointer that all of them share. */
static void handle_control(Disk *disk)
{
    disk_set_cache(disk, 1);
}

void virtio_queue_host_notifier_read(Disk *disk)
{
    disk->queue.handle_output(disk);
}

void disk_realize(Disk *disk, int is_control)
{
    disk->queue.handle_output = is_control ? handle_control : virtio_scsi_handle_cmd;
}

void virtio_blk_handle_output(Disk *disk)
{
    disk_drain(disk); /* expect: error main-thread-call: `disk_drain` called in an I/O thread in `virtio_blk_handle_output` leads to `GLOBAL_STATE_CODE` `disk_set_cache` */
    bql_lock();
    disk_drain(disk);
    bql_unlock();
}

/* A coroutine of an export moves to the main thread before it closes. */
void nbd_trip(Disk *disk)
{
    disk_set_cache(disk, 1); /* expect: error main-thread-call: `GLOBAL_STATE_CODE` `disk_set_cache` called in an I/O thread in `nbd_trip` */
    aio_co_reschedule_self(qemu_get_aio_context());
    disk_close(disk);
}

/* What nobody knows to run in an I/O thread may call everything. */
void disk_reset(Disk *disk)
{
    disk_set_cache(disk, 0);
}

/* The pack knows this loop: it drops the lock, and is no I/O thread. */
int kvm_cpu_exec(Disk *disk)
{
    bql_unlock();
    disk_drain(disk);
    bql_lock();
    return 0;
}

/* Nobody knows that of this one. */
int other_cpu_exec(Disk *disk)
{
    bql_unlock();
    disk_drain(disk); /* expect: error main-thread-call: `disk_drain` called in an I/O thread in `other_cpu_exec` leads to `GLOBAL_STATE_CODE` `disk_set_cache` */
    bql_lock();
    return 0;
}
