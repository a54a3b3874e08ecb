// How many threads the engine should use on this machine.
import {readFileSync} from "node:fs";
import os from "node:os";

// Below this the work between two of ggml's barriers is shorter than the barrier itself.
const kSmallModelParameters = 50e6;

/** `asked` 0 means decide: one thread for a toy model, otherwise one for each physical core we may use. */
export function chooseThreads(asked, parameters) {
    if (asked > 0) return asked;
    return parameters < kSmallModelParameters ? 1 : usableCores();
}

/** Physical cores this process may run on, never more than its CPU quota. At least 1. */
export function usableCores(root = "") {
    const cores = physicalCores(root) ?? os.availableParallelism();
    return Math.max(1, Math.min(cores, cpuQuota(root)));
}

function read(path) {
    try {
        return readFileSync(path, "utf8").trim();
    } catch {
        return null;
    }
}

function physicalCores(root) {
    const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(read(`${root}/proc/self/status`) ?? "");
    if (!allowed) return null;
    const cores = new Set();
    for (const cpu of expandList(allowed[1])) {
        const siblings = read(`${root}/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`);
        cores.add(siblings ?? `cpu ${cpu}`);
    }
    return cores.size;
}

/** "0-2,5" -> 0 1 2 5 */
function expandList(list) {
    return list.split(",").flatMap((range) => {
        const [first, last = first] = range.split("-").map(Number);
        return Array.from({length: last - first + 1}, (_, i) => first + i);
    });
}

// More runnable threads than the quota allows leaves some of them stopped at every barrier.
function cpuQuota(root) {
    const [quota, period] = read(`${root}/sys/fs/cgroup/cpu.max`)?.split(" ") ??
        [read(`${root}/sys/fs/cgroup/cpu/cpu.cfs_quota_us`), read(`${root}/sys/fs/cgroup/cpu/cpu.cfs_period_us`)];
    const cores = Number(quota) / Number(period);
    return cores > 0 ? Math.ceil(cores) : Infinity;
}
