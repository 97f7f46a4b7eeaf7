"""Every Redis key of the farm. `{ns}` is the namespace (default "farm"); Celery keeps its own keys beside these.

| key                                            | type   | TTL     | written by          | read by        | holds |
|------------------------------------------------|--------|---------|---------------------|----------------|-------|
| `{ns}:bytes`                                   | string | none    | farm, workers (Lua) | farm, workers  | bytes of all parts now in Redis: what the window bounds |
| `{ns}:segments:{job}`                          | set    | none    | farm, workers (Lua) | farm           | names of the job's segments, so that none is orphaned |
| `{ns}:segment:{job}:{index}:{kind}:{attempt}`  | hash   | none    | farm or worker      | worker or farm | part number → bytes; kind is `in`, `out` or `source` |
| `{ns}:offers:{job}`                            | hash   | none    | farm                | workers (Lua)  | chunk index → the attempt that may run now |
| `{ns}:lease:{job}:{index}`                     | hash   | lease   | worker (Lua)        | farm, workers  | attempt, token, worker, frames done, stage |
| `{ns}:results:{job}`                           | hash   | none    | worker (Lua)        | farm           | chunk index (or `source`) → the result, JSON |
| `{ns}:worker:{worker}`                         | hash   | 3 beats | worker              | farm           | host, pid, device, engine, what it is doing |
| `{ns}:advancing:{job}`                         | string | 60 s    | farm                | farm           | which farm process is moving the job on |

No segment has a TTL: `{ns}:bytes` must stay the sum of what lies there, and the farm deletes what it has read.
"""
