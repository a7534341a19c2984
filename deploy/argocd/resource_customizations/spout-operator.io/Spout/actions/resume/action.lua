-- Removes the field instead of setting it to false, because the manifest in Git most likely does not have the field.
obj.spec.suspend = nil
return obj
