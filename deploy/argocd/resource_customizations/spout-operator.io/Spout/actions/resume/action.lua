-- Not false: Git most likely says nothing of it.
obj.spec.suspend = nil
return obj
