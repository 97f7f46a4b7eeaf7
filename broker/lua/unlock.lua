-- Let a lock go, if it is still the caller's.
--
-- KEYS[1]  {ns}:advancing:{job}   string: owner
-- ARGV     owner

if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
