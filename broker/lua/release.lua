-- End a lease, if it is still the caller's.
--
-- KEYS[1]  {ns}:lease:{job}:{index}   hash: attempt, token, worker, num_frames, stage
-- ARGV     token

if redis.call('HGET', KEYS[1], 'token') == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
