-- Take every offer of a job back, with its lease, and delete the further keys given.
--
-- KEYS[1]    {ns}:offers:{job}      hash: index -> attempt that may run
-- KEYS[2..]  keys to delete as well
-- ARGV       {ns}:lease:{job}:      what every lease of the job begins with; {index} follows

for _, index in ipairs(redis.call('HKEYS', KEYS[1])) do
  redis.call('DEL', ARGV[1] .. index)
end
redis.call('DEL', unpack(KEYS))
